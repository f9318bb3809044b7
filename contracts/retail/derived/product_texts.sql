-- Made from contracts/retail/product_texts.yaml 1.0.0 by `lakehouse contracts derive`: do not edit.

create table if not exists platinum.`retail__product_embeddings` (
  `product_id`      bigint not null comment 'The product.',
  `text_hash`       string not null comment 'SHA-256 of the text, in hexadecimal.',
  `text`            string not null comment 'The text that was embedded.',
  `embedding`       array<float> not null comment 'The vector; its dimensions are the model\'s.',
  `model`           string not null comment 'The model.',
  `model_version`   string not null comment 'Its version.',
  `parameters_hash` string not null comment 'SHA-256 of the parameters, in hexadecimal.',
  `embedded_at`     timestamp not null comment 'When the row was written (UTC).',
  `_batch`          bigint not null comment 'Number of the run that wrote the row.'
)
using delta
comment 'One row is one product and one text it had, as a vector of the model named.';
