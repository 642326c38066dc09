# The HTTP API: per area two scopes and a health check.
#
#   GET /api/v1/<area>, /api/v1/<area>/{proxy+}     read     more specific than ANY, so GET never needs more
#   ANY /api/v1/<area>, /api/v1/<area>/{proxy+}     write
#   GET /api/v1/<area>/health                       nobody is asked who they are

locals {
  routes = merge(values({
    for area in keys(local.areas) : area => merge(
      {
        "ANY /api/v1/${area}"          = { area = area, scope = "write" }
        "ANY /api/v1/${area}/{proxy+}" = { area = area, scope = "write" }
        "GET /api/v1/${area}"          = { area = area, scope = "read" }
        "GET /api/v1/${area}/{proxy+}" = { area = area, scope = "read" }
        "GET /api/v1/${area}/health"   = { area = area, scope = null }
      },
      # A browser's preflight carries no token; ANY would ask it for one.
      length(var.cors_origins) == 0 ? {} : {
        "OPTIONS /api/v1/${area}"          = { area = area, scope = null }
        "OPTIONS /api/v1/${area}/{proxy+}" = { area = area, scope = null }
      }
    )
  })...)

  # Cognito puts the resource server in front of a scope's name.
  scopes = var.jwt_issuer == null ? { read = "${local.prefix}/read", write = "${local.prefix}/write" } : var.jwt_scopes

  jwt_issuer   = var.jwt_issuer == null ? "https://cognito-idp.${var.region}.amazonaws.com/${aws_cognito_user_pool.this[0].id}" : var.jwt_issuer
  jwt_audience = var.jwt_issuer == null ? [aws_cognito_user_pool_client.site[0].id] : var.jwt_audience
}

resource "aws_apigatewayv2_api" "this" {
  name          = local.prefix
  description   = "Potential Parakeet"
  protocol_type = "HTTP"

  dynamic "cors_configuration" {
    for_each = length(var.cors_origins) == 0 ? [] : [var.cors_origins]

    content {
      allow_origins  = cors_configuration.value
      allow_methods  = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
      allow_headers  = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
      expose_headers = ["content-disposition", "etag", "link", "location", "retry-after"]
      max_age        = 3600
    }
  }
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "${local.prefix}-jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = local.jwt_issuer
    audience = local.jwt_audience
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = { for area, target in local.areas : area => target if local.has_image }

  api_id                 = aws_apigatewayv2_api.this.id
  description            = "Alias live of ${local.function_names[each.value.function]}"
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_alias.live[each.value.function].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:All routes but health, and preflights where CORS is on, have the JWT authorizer; infrastructure/tests prove it
  for_each = { for key, route in local.routes : key => route if local.has_image }

  api_id    = aws_apigatewayv2_api.this.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.this[each.value.area].id}"

  authorization_type   = each.value.scope == null ? "NONE" : "JWT"
  authorizer_id        = each.value.scope == null ? null : aws_apigatewayv2_authorizer.jwt.id
  authorization_scopes = each.value.scope == null ? null : [local.scopes[each.value.scope]]
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  # Both limits must be said: left out, they are 0 and refuse everything.
  default_route_settings {
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }

  dynamic "route_settings" {
    for_each = { for key, limit in var.route_throttles : key => limit if local.has_image }

    content {
      route_key              = route_settings.key
      throttling_rate_limit  = route_settings.value.rate
      throttling_burst_limit = route_settings.value.burst
    }
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format = jsonencode({
      time             = "$context.requestTime"
      request_id       = "$context.requestId"
      source_ip        = "$context.identity.sourceIp"
      user_agent       = "$context.identity.userAgent"
      subject          = "$context.authorizer.claims.sub"
      method           = "$context.httpMethod"
      path             = "$context.path"
      route            = "$context.routeKey"
      status           = "$context.status"
      response_bytes   = "$context.responseLength"
      latency_ms       = "$context.responseLatency"
      function_ms      = "$context.integrationLatency"
      function_status  = "$context.integrationStatus"
      error            = "$context.error.message"
      authorizer_error = "$context.authorizer.error"
    })
  }

  # The settings of a route can only be stated once the route is there.
  depends_on = [aws_apigatewayv2_route.this]
}

resource "aws_cloudwatch_log_group" "api" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; a customer key (kms_key_arn) costs more than the rest when idle
  #checkov:skip=CKV_AWS_338:Retention is a variable; access logs serve diagnosis, and hold addresses that nobody should keep for a year
  name              = "/aws/vendedlogs/${local.prefix}-api" # this prefix needs no resource policy, whose size AWS limits
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_permission" "api" {
  for_each = { for area, target in local.areas : area => target if local.has_image }

  statement_id  = "api-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[each.value.function].function_name
  qualifier     = aws_lambda_alias.live[each.value.function].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*/api/v1/${each.key}*" # any stage, any method, this area
}
