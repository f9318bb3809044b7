-- Made from contracts/retail/products.yaml 1.0.1 by `lakehouse contracts derive`: do not edit.

create table if not exists bronze.`retail__products` (
  `product_id`       bigint comment 'The product.',
  `manufacturer_id`  bigint comment 'Who makes it.',
  `department`       string comment 'Department.',
  `brand`            string comment 'National or Private label.',
  `product_category` string comment 'Category; 540 real products have none.',
  `product_type`     string comment 'Finer category; 528 real products have none.',
  `package_size`     string comment 'Size as printed; 30,586 real products have none.',
  `_op`              string comment 'What happened: c create, u update, d delete, r snapshot, t truncate.',
  `_sequence`        string comment 'Place in the source\'s total order; text that sorts.',
  `_source_ts`       timestamp comment 'When the source committed the change (UTC).',
  `_source`          string comment 'File from which the row came.',
  `_method`          string comment 'How it came: files or debezium.',
  `_origin`          string comment 'real or synthetic.',
  `_rescued`         map<string,string> comment 'What fits no column, as text.',
  `_before`          map<string,string> comment 'The row before the change, as text.',
  `_given`           string comment 'Columns that the change carried, with commas.',
  `_old_key`         map<string,string> comment 'The key before the change, where it was changed.',
  `_ingested_at`     timestamp comment 'When the row was captured (UTC).',
  `_batch`           bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product of the master.';

create table if not exists silver.`retail__hub_product` (
  `product_hk` binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `product_id` bigint comment 'Business key of the product.',
  `_batch`     bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product that any dataset named.';

create table if not exists silver.`retail__sat_product` (
  `product_hk`       binary not null comment 'SHA-256 of the business key, 32 bytes; 32 zero bytes are the unknown member.',
  `product_id`       bigint not null comment 'The product.',
  `manufacturer_id`  bigint comment 'Who makes it.',
  `department`       string comment 'Department.',
  `brand`            string comment 'National or Private label.',
  `product_category` string comment 'Category; 540 real products have none.',
  `product_type`     string comment 'Finer category; 528 real products have none.',
  `package_size`     string comment 'Size as printed; 30,586 real products have none.',
  `_hashdiff`        binary comment 'SHA-256 of all columns but the key: equal ones have equal content.',
  `_op`              string not null comment 'What happened: c create, u update, d delete, r snapshot, t truncate.',
  `_sequence`        string comment 'Place in the source\'s total order; text that sorts.',
  `_source_ts`       timestamp comment 'When the source committed the change (UTC).',
  `_origin`          string comment 'real or synthetic.',
  `_flags`           array<string> comment 'Rules of severity warning that the row breaks.',
  `_batch`           bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product of the master. Here a row is one event of it.';

create table if not exists silver.`retail__products_quarantine` (
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
