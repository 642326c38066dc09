# An empty account: everything that an image needs, and nothing that needs an image.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  schedules = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", timezone = "America/New_York" } }
}

run "without_an_image_nothing_runs_code" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.this) + length(aws_lambda_alias.live) + length(aws_lambda_permission.api) == 0
    error_message = "A function was made without an image."
  }

  assert {
    condition     = length(aws_apigatewayv2_route.this) + length(aws_apigatewayv2_integration.this) == 0
    error_message = "A route was made to a function that is not there."
  }

  assert {
    condition     = length(aws_scheduler_schedule.ingest) + length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_dashboard.this) == 0
    error_message = "A schedule, alarm or dashboard was made for a function that is not there."
  }

  assert {
    condition     = length(aws_apigatewayv2_stage.default.route_settings) == 0
    error_message = "The stage states settings of routes that are not there."
  }

  assert {
    condition     = output.function_names == {} && output.schedule_names == {} && output.codedeploy == null
    error_message = "The outputs name functions that are not there."
  }
}

run "without_an_image_there_is_what_one_needs" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "The repository must refuse to move a tag, and scan what is pushed."
  }

  assert {
    condition     = keys(aws_iam_role.function) == keys(local.function_defaults) && length(aws_secretsmanager_secret.this) == 1
    error_message = "Roles and the secret must be there before the functions."
  }

  assert {
    condition     = keys(aws_s3_bucket.this) == ["cache", "site"] && output.site_url == "https://d123.cloudfront.net"
    error_message = "Cache and site must be there before the functions."
  }
}

run "with_an_image_everything_is_there" {
  command = plan

  variables {
    image_tag = "0123abc"
  }

  assert {
    condition     = output.function_names == { for name in ["backtest", "data", "ingest", "migrate", "strategies", "worker"] : name => "parakeet-${name}" }
    error_message = "A function is missing."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.image_uri == "${output.ecr_repository_url}:0123abc"])
    error_message = "A function does not run the image that was named."
  }

  assert {
    condition     = output.schedule_names == { SPX500 = "parakeet-SPX500" } && length(aws_cloudwatch_dashboard.this) == 1
    error_message = "The schedule or the dashboard is missing."
  }
}

run "nothing_that_costs_while_idle_is_made_by_default" {
  command = plan

  variables {
    image_tag = "0123abc"
  }

  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.this) == 0 && aws_cloudfront_distribution.site[0].web_acl_id == null
    error_message = "Provisioned concurrency and a WAF are paid by the hour."
  }

  assert {
    condition     = length(aws_codepipeline.this) == 0 && length(aws_secretsmanager_secret.this) == 1
    error_message = "One secret, and no pipeline, unless asked for."
  }

  assert {
    # Each of ours watches one metric; a composite or math alarm would count for more.
    condition     = length(aws_cloudwatch_metric_alarm.this) <= 10
    error_message = "More alarms than the ten that are free."
  }
}
