# Routes, who may call them, and how often.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  image_tag = "0123abc"
}

run "every_area_has_its_routes_and_nothing_else_has" {
  command = plan

  assert {
    condition = toset(keys(aws_apigatewayv2_route.this)) == toset(flatten([
      for area in ["backtest", "data", "strategies"] : [
        "ANY /api/v1/${area}", "ANY /api/v1/${area}/{proxy+}",
        "GET /api/v1/${area}", "GET /api/v1/${area}/{proxy+}", "GET /api/v1/${area}/health",
      ]
    ]))
    error_message = "The routes are not those of the areas."
  }

  assert {
    # The next area is one entry of the map: nothing else may count areas.
    condition     = length(aws_apigatewayv2_route.this) == 5 * length(local.areas) && keys(aws_apigatewayv2_integration.this) == keys(local.areas) && keys(aws_lambda_permission.api) == keys(local.areas)
    error_message = "Integration, permission and five routes must follow from the entry of an area."
  }

  assert {
    condition     = alltrue([for area in keys(local.areas) : contains(keys(local.function_defaults), local.areas[area].function)])
    error_message = "An area names a function that is not there."
  }
}

run "health_is_the_only_route_without_a_token" {
  command = plan

  assert {
    condition = alltrue([
      for key, route in aws_apigatewayv2_route.this :
      endswith(key, "/health") ? route.authorization_type == "NONE" : route.authorization_type == "JWT" && route.authorizer_id != null
    ])
    error_message = "A route is open that should not be, or health is not."
  }

  assert {
    condition = alltrue([
      for key, route in aws_apigatewayv2_route.this :
      endswith(key, "/health") ? length(coalesce(route.authorization_scopes, toset([]))) == 0 : (
        route.authorization_scopes == toset([startswith(key, "GET ") ? "parakeet/read" : "parakeet/write"])
      )
    ])
    error_message = "GET asks for read, everything else for write."
  }
}

run "the_api_is_payload_2_0_to_the_alias" {
  command = plan

  assert {
    condition = alltrue([
      for integration in aws_apigatewayv2_integration.this :
      integration.payload_format_version == "2.0" && integration.integration_type == "AWS_PROXY" && strcontains(integration.integration_uri, ":live/invocations")
    ])
    error_message = "Integrations call the alias live with payload 2.0."
  }

  assert {
    condition     = alltrue([for area, permission in aws_lambda_permission.api : permission.qualifier == "live" && endswith(permission.source_arn, "/*/*/api/v1/${area}*")])
    error_message = "Only the routes of an area may call its function, and only by the alias."
  }
}

run "the_pool_made_here_issues_the_tokens" {
  command = plan

  assert {
    condition     = output.jwt_issuer == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc" && output.jwt_audience == tolist(["client123"])
    error_message = "Issuer and audience must be the pool's and its client's."
  }

  assert {
    condition     = aws_cognito_user_pool_client.site[0].generate_secret == false && aws_cognito_user_pool_client.site[0].allowed_oauth_flows == toset(["code"])
    error_message = "A page keeps no secret: code flow with PKCE only."
  }

  assert {
    condition     = contains(aws_cognito_user_pool_client.site[0].callback_urls, "https://d123.cloudfront.net/signed-in") && aws_cognito_user_pool.this[0].admin_create_user_config[0].allow_admin_create_user_only
    error_message = "Users come back to the site, and nobody signs up by themselves."
  }

  assert {
    condition     = output.scopes == { read = "parakeet/read", write = "parakeet/write" }
    error_message = "Scopes bear the resource server's name."
  }
}

run "another_issuer_replaces_the_pool" {
  command = plan

  variables {
    jwt_issuer   = "https://id.example.com/"
    jwt_audience = ["parakeet"]
    jwt_scopes   = { read = "read:parakeet", write = "write:parakeet" }
  }

  assert {
    condition     = length(aws_cognito_user_pool.this) + length(aws_cognito_user_pool_client.site) + length(aws_cognito_resource_server.this) == 0
    error_message = "A pool was made that nobody asked for."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].issuer == "https://id.example.com/" && aws_apigatewayv2_authorizer.jwt.jwt_configuration[0].audience == toset(["parakeet"])
    error_message = "Issuer and audience must be those given."
  }

  assert {
    condition     = aws_apigatewayv2_route.this["GET /api/v1/data/{proxy+}"].authorization_scopes == toset(["read:parakeet"])
    error_message = "Scopes must be those given."
  }
}

run "requests_are_limited_and_logged" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 20 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 40
    error_message = "Every route has a limit."
  }

  assert {
    condition     = one(aws_apigatewayv2_stage.default.route_settings).route_key == "ANY /api/v1/backtest" && one(aws_apigatewayv2_stage.default.route_settings).throttling_rate_limit == 2
    error_message = "What computes has a lower one."
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.default.access_log_settings[0].format).status == "$context.status" && aws_cloudwatch_log_group.api.retention_in_days == 30
    error_message = "Access logs are JSON, and not kept for ever."
  }
}

run "no_other_origin_is_let_in_by_default" {
  command = plan

  assert {
    condition     = length(aws_apigatewayv2_api.this.cors_configuration) == 0
    error_message = "The site is on the API's own origin: no CORS."
  }
}

run "preflights_of_other_origins_need_no_token" {
  command = plan

  variables {
    cors_origins = ["http://localhost:5173"]
  }

  assert {
    condition     = aws_apigatewayv2_api.this.cors_configuration[0].allow_origins == toset(["http://localhost:5173"])
    error_message = "The origin is not let in."
  }

  assert {
    condition     = aws_apigatewayv2_route.this["OPTIONS /api/v1/backtest"].authorization_type == "NONE" && aws_apigatewayv2_route.this["OPTIONS /api/v1/data/{proxy+}"].authorization_type == "NONE"
    error_message = "ANY would ask a preflight for a token."
  }
}
