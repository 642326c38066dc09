# A sweep in AWS: its batches, listed in the cache, are mapped over the worker; a last call gathers what they found.
# Every batch is idempotent: one that is tried again, or delivered twice, finds that it is done.

locals {
  sweep_name = "${local.prefix}-sweep"
  sweep_arn  = "arn:${local.partition}:states:${var.region}:${local.account_id}:stateMachine:${local.sweep_name}"

  # Lambda's own troubles pass; what the batch itself raises is tried twice more, and then has a cause.
  sweep_retries = [
    {
      ErrorEquals     = ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.TooManyRequestsException"]
      IntervalSeconds = 2
      BackoffRate     = 2
      MaxAttempts     = 8
      JitterStrategy  = "FULL"
    },
    {
      ErrorEquals     = ["States.ALL"]
      IntervalSeconds = 5
      BackoffRate     = 3
      MaxAttempts     = 2
    }
  ]

  sweep_definition = {
    Comment = "Maps the batches of a sweep over the worker"
    StartAt = "Batches"
    States = {
      Batches = {
        Type                       = "Map"
        MaxConcurrency             = var.sweep_concurrency
        ToleratedFailurePercentage = 0
        ItemReader = {
          Resource     = "arn:${local.partition}:states:::s3:getObject"
          ReaderConfig = { InputType = "JSON" }
          Parameters   = { "Bucket.$" = "$.bucket", "Key.$" = "$.key" }
        }
        ItemProcessor = {
          ProcessorConfig = { Mode = "DISTRIBUTED", ExecutionType = "STANDARD" }
          StartAt         = "Batch"
          States = {
            Batch = {
              Type       = "Task"
              Resource   = "arn:${local.partition}:states:::lambda:invoke"
              Parameters = { FunctionName = local.worker_arn, "Payload.$" = "$" }
              Retry      = local.sweep_retries
              OutputPath = null # results are in the cache; the map's own output must stay small
              End        = true
            }
          }
        }
        ResultPath = null
        Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "Tell" }]
        Next       = "Gather"
      }
      Gather = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::lambda:invoke"
        Parameters = {
          FunctionName = local.worker_arn
          Payload      = { "sweep_id.$" = "$.sweep_id", finish = true }
        }
        Retry      = local.sweep_retries
        ResultPath = null
        Catch      = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.error", Next = "Tell" }]
        End        = true
      }
      # The job's row says that it failed, and why, …
      Tell = {
        Type     = "Task"
        Resource = "arn:${local.partition}:states:::lambda:invoke"
        Parameters = {
          FunctionName = local.worker_arn
          Payload      = { "sweep_id.$" = "$.sweep_id", finish = true, "error.$" = "States.Format('{}: {}', $.error.Error, $.error.Cause)" }
        }
        Retry      = local.sweep_retries
        ResultPath = null
        Next       = "Failed"
      }
      # … and the execution failed. The alarm on errors of functions has rung by then: each of ten alarms is free, no more.
      Failed = { Type = "Fail", Error = "SweepFailed", Cause = "A batch failed for good; the job of the sweep has the cause" }
    }
  }
}

resource "aws_sfn_state_machine" "sweep" {
  #checkov:skip=CKV_AWS_285:Failures are logged without data; the ledger and the jobs are the history
  count = local.has_image ? 1 : 0

  name       = local.sweep_name
  role_arn   = aws_iam_role.sweep.arn
  type       = "STANDARD"
  definition = jsonencode(local.sweep_definition)

  logging_configuration {
    log_destination        = "${aws_cloudwatch_log_group.sweep.arn}:*" # its log streams
    include_execution_data = false
    level                  = "ERROR"
  }

  tracing_configuration {
    enabled = true
  }

  # Step Functions checks at creation that the role may write the log.
  depends_on = [aws_iam_role_policy.sweep]
}

resource "aws_cloudwatch_log_group" "sweep" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; a customer key (kms_key_arn) costs more than the rest when idle
  #checkov:skip=CKV_AWS_338:Retention is a variable; logs hold no record that must outlive it, the database does
  name              = "/aws/vendedlogs/states/${local.sweep_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

data "aws_iam_policy_document" "sweep_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_iam_role" "sweep" {
  name               = local.sweep_name
  description        = "State machine: maps the batches of a sweep over the worker"
  assume_role_policy = data.aws_iam_policy_document.sweep_trust.json
}

resource "aws_iam_role_policy" "sweep" {
  name   = "sweep"
  role   = aws_iam_role.sweep.id
  policy = data.aws_iam_policy_document.sweep.json
}

data "aws_iam_policy_document" "sweep" {
  #checkov:skip=CKV_AWS_356:The delivery of logs and X-Ray's actions know no resource; everything else names its own
  #checkov:skip=CKV_AWS_111:The writes without constraint are those of the delivery of logs and of X-Ray, which know no resource
  statement {
    sid       = "CallTheWorker"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.worker_arn]
  }

  statement {
    sid       = "ReadTheListOfBatches"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.this["cache"].arn}/objects/*"]
  }

  statement {
    sid       = "MapOverItsOwnBatches"
    actions   = ["states:StartExecution"]
    resources = [local.sweep_arn]
  }

  statement {
    sid       = "WatchAndStopThem"
    actions   = ["states:DescribeExecution", "states:StopExecution"]
    resources = ["arn:${local.partition}:states:${var.region}:${local.account_id}:execution:${local.sweep_name}/*"]
  }

  statement {
    sid = "DeliverItsLog"
    actions = [
      "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery",
      "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies", "logs:DescribeLogGroups"
    ]
    resources = ["*"] # these actions support no resource
  }

  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
    resources = ["*"] # these actions support no resource
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
