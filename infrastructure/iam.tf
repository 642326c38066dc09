# One role per function, with what that function does and no more.

data "aws_iam_policy_document" "lambda_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name               = local.function_names[each.key]
  description        = "Lambda ${each.key}: ${each.value.description}"
  assume_role_policy = data.aws_iam_policy_document.lambda_trust.json
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].id
  policy = data.aws_iam_policy_document.function[each.key].json
}

data "aws_iam_policy_document" "function" {
  #checkov:skip=CKV_AWS_356:X-Ray's two write actions know no resource; everything else names its own
  #checkov:skip=CKV_AWS_111:The writes without constraint are X-Ray's, which know no resource
  for_each = local.functions

  statement {
    sid       = "WriteItsLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"] # its log streams
  }

  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    resources = ["*"] # these two actions support no resource
  }

  statement {
    sid     = "ReadItsSecrets"
    actions = ["secretsmanager:GetSecretValue"]
    resources = concat(
      [aws_secretsmanager_secret.this["database"].arn],
      each.value.reads_tiingo && var.tiingo_enabled ? [aws_secretsmanager_secret.this["tiingo"].arn] : []
    )
  }

  dynamic "statement" {
    for_each = each.value.cache == "none" ? [] : [aws_s3_bucket.this["cache"].arn]

    content {
      sid       = "FindInTheCache"
      actions   = ["s3:ListBucket"] # without it a missing object is 403, not 404
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.value.cache == "none" ? [] : [aws_s3_bucket.this["cache"].arn]

    content {
      sid       = "ReadTheCache"
      actions   = ["s3:GetObject"]
      resources = [for folder in local.cache_folders : "${statement.value}/${folder}/*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.cache == "write" ? [aws_s3_bucket.this["cache"].arn] : []

    content {
      sid       = "AddToTheCache" # never delete; the bucket's policy refuses overwriting
      actions   = ["s3:PutObject"]
      resources = [for folder in local.cache_folders : "${statement.value}/${folder}/*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.starts_jobs ? [local.worker_arn] : []

    content {
      sid       = "HandOverJobs"
      actions   = ["lambda:InvokeFunction"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.value.maps_sweeps ? [local.sweep_arn] : []

    content {
      sid       = "MapSweeps"
      actions   = ["states:StartExecution"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = each.value.is_asynchronous ? [aws_sqs_queue.dead_letters[each.key].arn] : []

    content {
      sid       = "HandOverWhatFailed"
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}
