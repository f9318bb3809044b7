-- Made from contracts/retail/offer_propensity.yaml 1.0.0 by `lakehouse contracts derive`: do not edit.

create table if not exists platinum.`retail__offer_scores` (
  `basket_id`       bigint not null comment 'The basket that was scored.',
  `household_id`    bigint not null comment 'The household that bought it.',
  `campaign_id`     bigint not null comment 'The campaign that was considered.',
  `event_time`      timestamp not null comment 'When the basket was paid (UTC).',
  `ingested_at`     timestamp not null comment 'When its last line had landed in bronze (UTC).',
  `scored_at`       timestamp not null comment 'When the model answered (UTC).',
  `latency_ms`      bigint not null comment 'Milliseconds from landing to score. [ms]',
  `model_name`      string not null comment 'The model.',
  `model_version`   string not null comment 'Its version, a folder below the model\'s name.',
  `context_version` bigint not null comment 'Delta version of the gold table that gave the features.',
  `score`           double not null comment 'Estimated probability that the household redeems a coupon of the campaign.',
  `rank`            int not null comment 'Place of the campaign among the basket\'s, 1 is the best.',
  `action`          string not null comment 'What to do.',
  `_batch`          bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one basket and one campaign its household may still redeem, with the chance that it does.';
