-- Made from contracts/retail/transactions.yaml 2.0.0 by `lakehouse contracts derive`: do not edit.

create table if not exists bronze.`retail__transactions` (
  `household_id`          bigint comment 'The household that bought, a pseudonym given by the loyalty programme.',
  `store_id`              bigint comment 'The store.',
  `basket_id`             bigint comment 'The basket; one household, one store and one time each.',
  `product_id`            bigint comment 'The product.',
  `quantity`              bigint comment 'How many were bought. Fuel is sold by volume (up to 89,638 in the year), so there is no upper bound below 100,000.',
  `sales_value`           decimal(10,2) comment 'What the retailer received, after discounts. [USD]',
  `retail_disc`           decimal(10,2) comment 'Discount by the loyalty card. [USD]',
  `coupon_disc`           decimal(10,2) comment 'Discount by a manufacturer\'s coupon. [USD]',
  `coupon_match_disc`     decimal(10,2) comment 'Discount by the retailer\'s match of a manufacturer\'s coupon. [USD]',
  `week`                  int comment 'Week of the year, 1 to 53.',
  `transaction_timestamp` timestamp comment 'When the basket was paid, in UTC; the stores\' day is America/New_York.',
  `_op`                   string comment 'What happened: c create, u update, d delete, r snapshot, t truncate.',
  `_sequence`             string comment 'Place in the source\'s total order; text that sorts.',
  `_source_ts`            timestamp comment 'When the source committed the change (UTC).',
  `_source`               string comment 'File from which the row came.',
  `_method`               string comment 'How it came: files or debezium.',
  `_origin`               string comment 'real or synthetic.',
  `_rescued`              map<string,string> comment 'What fits no column, as text.',
  `_before`               map<string,string> comment 'The row before the change, as text.',
  `_given`                string comment 'Columns that the change carried, with commas.',
  `_old_key`              map<string,string> comment 'The key before the change, where it was changed.',
  `_ingested_at`          timestamp comment 'When the row was captured (UTC).',
  `_batch`                bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product in one basket, as booked at the till.';

create table if not exists silver.`retail__hub_basket` (
  `basket_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `basket_id` bigint comment 'Business key of the basket.',
  `_batch`    bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one basket that any dataset named.';

create table if not exists silver.`retail__hub_product` (
  `product_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `product_id` bigint comment 'Business key of the product.',
  `_batch`     bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product that any dataset named.';

create table if not exists silver.`retail__hub_household` (
  `household_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `household_id` bigint comment 'Business key of the household.',
  `_batch`       bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one household that any dataset named.';

create table if not exists silver.`retail__hub_store` (
  `store_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `store_id` bigint comment 'Business key of the store.',
  `_batch`   bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one store that any dataset named.';

create table if not exists silver.`retail__lnk_basket_line` (
  `basket_line_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `basket_hk`      binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `product_hk`     binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `household_hk`   binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `store_hk`       binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `_batch`         bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one combination of basket, product, household, store.';

create table if not exists silver.`retail__sat_basket_line` (
  `basket_line_hk`        binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `basket_hk`             binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `product_hk`            binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `household_hk`          binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `store_hk`              binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `household_id`          bigint comment 'The household that bought, a pseudonym given by the loyalty programme.',
  `store_id`              bigint comment 'The store.',
  `basket_id`             bigint not null comment 'The basket; one household, one store and one time each.',
  `product_id`            bigint not null comment 'The product.',
  `quantity`              bigint comment 'How many were bought. Fuel is sold by volume (up to 89,638 in the year), so there is no upper bound below 100,000.',
  `sales_value`           decimal(10,2) comment 'What the retailer received, after discounts. [USD]',
  `retail_disc`           decimal(10,2) comment 'Discount by the loyalty card. [USD]',
  `coupon_disc`           decimal(10,2) comment 'Discount by a manufacturer\'s coupon. [USD]',
  `coupon_match_disc`     decimal(10,2) comment 'Discount by the retailer\'s match of a manufacturer\'s coupon. [USD]',
  `week`                  int comment 'Week of the year, 1 to 53.',
  `transaction_timestamp` timestamp comment 'When the basket was paid, in UTC; the stores\' day is America/New_York.',
  `_hashdiff`             binary comment 'SHA-256 of all columns but the key: equal ones have equal content.',
  `_op`                   string not null comment 'What happened: c create, u update, d delete, r snapshot, t truncate.',
  `_sequence`             string comment 'Place in the source\'s total order; text that sorts.',
  `_source_ts`            timestamp comment 'When the source committed the change (UTC).',
  `_origin`               string comment 'real or synthetic.',
  `_flags`                array<string> comment 'Rules of severity warning that the row breaks.',
  `_batch`                bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product in one basket, as booked at the till. Here a row is one event of it.';

create table if not exists silver.`retail__transactions_quarantine` (
  `row`              map<string,string> comment 'The row as it came, as text.',
  `failures`         array<struct<column:string,rule:string,value:string>> comment 'Each rule it breaks, with the value.',
  `contract_version` string comment 'Version of the contract that rejected it.',
  `status`           string comment 'open, replayed or expired.',
  `_op`              string comment 'What happened: c create, u update, d delete, r snapshot, t truncate.',
  `_sequence`        string comment 'Place in the source\'s total order; text that sorts.',
  `_source_ts`       timestamp comment 'When the source committed the change (UTC).',
  `_source`          string comment 'File from which the row came.',
  `_origin`          string comment 'real or synthetic.',
  `_batch`           bigint not null comment 'Number of the run that wrote the row.',
  `quarantined_at`   timestamp comment 'When it was rejected (UTC).',
  `_row_id`          string comment 'Identifies the row as it came.',
  `_bronze_batch`    bigint comment 'Number of the run that captured the row.',
  `settled_batch`    bigint comment 'Number of the run that replayed or expired it.',
  `settled_at`       timestamp comment 'When it was replayed or expired (UTC).'
)
using delta
comment 'One row is one row that the gate rejected.';
