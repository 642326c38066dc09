# Who may call the API, unless another issuer is named by jwt_issuer. A single owner: nobody signs up, the owner is made by
#
#   aws cognito-idp admin-create-user --user-pool-id … --username you@example.com

locals {
  makes_user_pool = var.jwt_issuer == null ? 1 : 0
  sign_in_host    = var.jwt_issuer == null ? "${aws_cognito_user_pool_domain.this[0].domain}.auth.${var.region}.amazoncognito.com" : null
}

resource "aws_cognito_user_pool" "this" {
  count = local.makes_user_pool

  name                     = local.prefix
  user_pool_tier           = "ESSENTIALS" # 10,000 users a month are free
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]
  mfa_configuration        = "OPTIONAL"
  deletion_protection      = var.force_destroy ? "INACTIVE" : "ACTIVE"

  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  password_policy {
    minimum_length                   = 14
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 7
  }

  account_recovery_setting {
    recovery_mechanism {
      name     = "verified_email"
      priority = 1
    }
  }
}

resource "aws_cognito_user_pool_domain" "this" {
  count = local.makes_user_pool

  domain       = "${local.prefix}-${local.account_id}"
  user_pool_id = aws_cognito_user_pool.this[0].id
}

resource "aws_cognito_resource_server" "this" {
  count = local.makes_user_pool

  identifier   = local.prefix
  name         = local.prefix
  user_pool_id = aws_cognito_user_pool.this[0].id

  scope {
    scope_name        = "read"
    scope_description = "Look things up"
  }

  scope {
    scope_name        = "write"
    scope_description = "Run backtests and change what is stored"
  }
}

# The page in the browser: authorization code with PKCE, and no secret, since a page cannot keep one.
resource "aws_cognito_user_pool_client" "site" {
  count = local.makes_user_pool

  name            = "${local.prefix}-site"
  user_pool_id    = aws_cognito_user_pool.this[0].id
  generate_secret = false

  supported_identity_providers         = ["COGNITO"]
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = concat(["openid", "email"], values(local.scopes))
  callback_urls                        = [for origin in local.page_origins : "${origin}/signed-in"]
  logout_urls                          = [for origin in local.page_origins : "${origin}/"]

  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  access_token_validity  = 60
  id_token_validity      = 60
  refresh_token_validity = 30

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }

  # The scopes must exist before a client may ask for them.
  depends_on = [aws_cognito_resource_server.this]
}

locals {
  page_origins = concat(var.frontend_enabled ? [local.site_url] : [], var.page_origins)
}
