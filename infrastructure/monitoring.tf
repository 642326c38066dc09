# Few alarms, since ten are free and one on several metrics counts as several: over all functions where it matters that
# something failed, for one where it matters which. The alarms per function that roll a release back come with the pipeline.

locals {
  metrics_namespace = "Parakeet"

  # metric, statistic, threshold and the direction of trouble; dimensions {} is the sum over every function of the region.
  alarms = merge(
    {
      errors = {
        description = "A function failed: search its log group for level ERROR"
        namespace   = "AWS/Lambda", metric = "Errors", dimensions = {}
        statistic   = "Sum", period_s = 300, periods = 1, comparison = "GreaterThanThreshold", threshold = 0
        missing     = "notBreaching"
      }
      throttles = {
        description = "Lambda refused an execution: the account's or a function's concurrency is used up"
        namespace   = "AWS/Lambda", metric = "Throttles", dimensions = {}
        # The ingest reserves one execution, so waiting universes are throttled for a while; hours of it are not that.
        statistic = "Sum", period_s = 3600, periods = 2, comparison = "GreaterThanThreshold", threshold = 0
        missing   = "notBreaching"
      }
      api-errors = {
        description = "The API answers with 5xx"
        namespace   = "AWS/ApiGateway", metric = "5xx", dimensions = { ApiId = aws_apigatewayv2_api.this.id }
        statistic   = "Sum", period_s = 300, periods = 1, comparison = "GreaterThanThreshold", threshold = 0
        missing     = "notBreaching"
      }
      api-latency = {
        description = "The API takes longer than 10 s, of 30 that it has (milliseconds)"
        namespace   = "AWS/ApiGateway", metric = "Latency", dimensions = { ApiId = aws_apigatewayv2_api.this.id }
        statistic   = "Maximum", period_s = 300, periods = 3, comparison = "GreaterThanThreshold", threshold = 10000
        missing     = "notBreaching"
      }
    },
    {
      for name, settings in local.asynchronous_functions : "${name}-duration" => {
        description = "${name} takes over 80 % of its time limit (milliseconds)"
        namespace   = "AWS/Lambda", metric = "Duration", dimensions = { FunctionName = local.function_names[name] }
        statistic   = "Maximum", period_s = 300, periods = 1, comparison = "GreaterThanThreshold"
        threshold   = settings.timeout_s * 1000 * 0.8
        missing     = "notBreaching"
      }
    },
    {
      for name in keys(local.asynchronous_functions) : "${name}-dead-letters" => {
        description = "${name} gave up on an event: read it in the queue, mend the cause, start it again"
        namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = aws_sqs_queue.dead_letters[name].name }
        statistic   = "Maximum", period_s = 300, periods = 1, comparison = "GreaterThanThreshold", threshold = 0
        missing     = "notBreaching"
      }
    },
    # Old data: the ingest says how many sessions of its exchange a universe is behind; holidays make nothing old …
    {
      for universe, schedule in var.schedules : "${universe}-stale" => {
        description = "${universe} lacks over ${var.max_sessions_behind} sessions that closed six hours ago or more: the vendor, or the source, is behind"
        namespace   = local.metrics_namespace, metric = "SessionsBehind", dimensions = { universe = universe }
        statistic   = "Maximum", period_s = 86400, periods = 1, comparison = "GreaterThanThreshold"
        threshold   = var.max_sessions_behind
        missing     = "ignore"
      } if schedule.enabled
    },
    # … and when it says nothing for longer than a long weekend, it does not run at all.
    {
      for universe, schedule in var.schedules : "${universe}-silent" => {
        description = "No ingest of ${universe} reported for five days: is its schedule on?"
        namespace   = local.metrics_namespace, metric = "SessionsBehind", dimensions = { universe = universe }
        statistic   = "SampleCount", period_s = 86400, periods = 5, comparison = "LessThanThreshold", threshold = 1
        missing     = "breaching"
      } if schedule.enabled
    }
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if local.has_image }

  alarm_name          = "${local.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period_s
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch may not use AWS's own key for SNS; messages name alarms and thresholds only; kms_key_arn encrypts them
  name              = "${local.prefix}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsAndBudgets"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_budgets_budget" "monthly" {
  count = var.monthly_budget_usd == null ? 0 : 1

  account_id   = local.account_id
  name         = "${local.prefix}-monthly"
  budget_type  = "COST"
  limit_amount = format("%.2f", var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  notification {
    notification_type         = "ACTUAL"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 80
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }

  notification {
    notification_type         = "FORECASTED"
    comparison_operator       = "GREATER_THAN"
    threshold                 = 100
    threshold_type            = "PERCENTAGE"
    subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

# --- Dashboard: one of the three that are free ---------------------------------------------------------------------------

locals {
  # Each of them a graph with one line per function.
  function_graphs = { Invocations = "Sum", Errors = "Sum", Throttles = "Sum", Duration = "p95" }

  graphs = concat(
    [
      for metric, statistic in local.function_graphs : {
        title   = "Lambda: ${metric} (${statistic}${metric == "Duration" ? ", ms" : ""})"
        metrics = [for name in values(local.function_names) : ["AWS/Lambda", metric, "FunctionName", name, { stat = statistic }]]
      }
    ],
    [
      {
        title = "API: requests and errors"
        metrics = [
          for metric in ["Count", "4xx", "5xx"] :
          ["AWS/ApiGateway", metric, "ApiId", aws_apigatewayv2_api.this.id, { stat = "Sum" }]
        ]
      },
      {
        title = "API: latency (ms)"
        metrics = [
          for statistic in ["p50", "p95", "p99"] :
          ["AWS/ApiGateway", "Latency", "ApiId", aws_apigatewayv2_api.this.id, { stat = statistic }]
        ]
      },
      {
        title = "Sessions that should be there and are not"
        metrics = [
          for universe in keys(var.schedules) :
          [local.metrics_namespace, "SessionsBehind", "universe", universe, { stat = "Maximum", period = 86400 }]
        ]
      },
      {
        title = "Dead letters"
        metrics = [
          for queue in aws_sqs_queue.dead_letters :
          ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.name, { stat = "Maximum" }]
        ]
      },
    ]
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  count = local.has_image ? 1 : 0

  dashboard_name = local.prefix

  dashboard_body = jsonencode({
    widgets = [
      for position, graph in local.graphs : {
        type   = "metric"
        width  = 12
        height = 6
        x      = position % 2 * 12
        y      = floor(position / 2) * 6
        properties = {
          title   = graph.title
          metrics = graph.metrics
          region  = var.region
          view    = "timeSeries"
          period  = 300
        }
      } if length(graph.metrics) > 0
    ]
  })
}
