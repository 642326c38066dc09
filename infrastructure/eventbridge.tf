# A schedule per universe, after that market's close. Scheduler delivers at least once; the ingest is idempotent.

locals {
  schedules = { for universe, schedule in var.schedules : universe => schedule if local.has_image }
}

resource "aws_scheduler_schedule_group" "this" {
  name = local.prefix
}

resource "aws_scheduler_schedule" "ingest" {
  #checkov:skip=CKV_AWS_297:The input names a universe and a number of days; encrypted by AWS's key, or by kms_key_arn where one is given
  for_each = local.schedules

  name        = "${local.prefix}-${each.key}"
  description = "Brings ${each.key} up to date"
  group_name  = aws_scheduler_schedule_group.this.name
  state       = each.value.enabled ? "ENABLED" : "DISABLED"
  kms_key_arn = var.kms_key_arn

  schedule_expression          = each.value.cron
  schedule_expression_timezone = each.value.timezone

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_alias.live["ingest"].arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ universe_key = each.key, lookback_days = each.value.lookback_days })

    # Of the delivery. What the function does with it is retried by Lambda.
    retry_policy {
      maximum_retry_attempts       = 5
      maximum_event_age_in_seconds = 3600
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters["ingest"].arn
    }
  }

  depends_on = [aws_iam_role_policy.scheduler]
}

data "aws_iam_policy_document" "scheduler_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Schedules of this group of this account, and nobody else's.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_scheduler_schedule_group.this.arn]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name               = "${local.prefix}-scheduler"
  description        = "EventBridge Scheduler: starts the ingest"
  assume_role_policy = data.aws_iam_policy_document.scheduler_trust.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    sid       = "StartTheIngest"
    actions   = ["lambda:InvokeFunction"]
    resources = ["${local.function_arns["ingest"]}:live"]
  }

  statement {
    sid       = "HandOverWhatCouldNotBeDelivered"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters["ingest"].arn]
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

resource "aws_iam_role_policy" "scheduler" {
  name   = "scheduler"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}
