# Secrets without values in the state: the value is an ephemeral variable given to a write-only argument, and is sent only
# when its version number changes. Version 0 leaves the value to the operator:
#
#   aws secretsmanager put-secret-value --secret-id parakeet/database --secret-string file:///dev/stdin

locals {
  secrets = merge(
    { database = "PostgreSQL URL, as Neon prints it" },
    var.tiingo_enabled ? { tiingo = "Tiingo API key" } : {}
  )
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV_AWS_149:Encrypted by AWS's key for Secrets Manager, or by kms_key_arn where one is given
  #checkov:skip=CKV2_AWS_57:Neon and Tiingo have no rotation that a Lambda could call; a new value is put by hand, and fetched once the old one is refused
  for_each = local.secrets

  name                    = "${local.prefix}/${each.key}"
  description             = each.value
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.force_destroy ? 0 : 30
}

resource "aws_secretsmanager_secret_version" "database" {
  count = var.database_url_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.this["database"].id
  secret_string_wo         = var.database_url
  secret_string_wo_version = var.database_url_version
}

resource "aws_secretsmanager_secret_version" "tiingo" {
  count = var.tiingo_api_key_version > 0 ? 1 : 0

  secret_id                = aws_secretsmanager_secret.this["tiingo"].id
  secret_string_wo         = var.tiingo_api_key
  secret_string_wo_version = var.tiingo_api_key_version
}
