# The site: CloudFront in front of a private bucket, and of the API under /api on the same origin, so that no CORS is needed.

locals {
  has_site = var.frontend_enabled ? 1 : 0
  site_url = !var.frontend_enabled ? null : (
    var.site_domain == null ? "https://${aws_cloudfront_distribution.site[0].domain_name}" : "https://${var.site_domain.name}"
  )

  # Policies that AWS manages; their ids are the same in every account.
  managed_policies = {
    caching_optimized             = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    caching_disabled              = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    all_viewer_except_host_header = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
  }

  # Where the page may send the user and fetch tokens from, beside its own origin.
  sign_in_origins = concat(
    [regex("^https?://[^/]+", local.jwt_issuer)], local.sign_in_host == null ? [] : ["https://${local.sign_in_host}"]
  )
}

resource "aws_cloudfront_origin_access_control" "site" {
  count = local.has_site

  name                              = "${local.prefix}-site"
  description                       = "Signs CloudFront's requests to the bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# A path of the page is not a file: whatever has no file extension is index.html. Error pages would do the same, but for
# the whole distribution, and so turn the API's 404 into a page.
resource "aws_cloudfront_function" "pages" {
  count = local.has_site

  name    = "${local.prefix}-pages"
  comment = "Paths of the page to index.html"
  runtime = "cloudfront-js-2.0"
  code    = <<-JS
    function handler(event) {
      var request = event.request;
      if (!/\.[a-z0-9]+$/i.test(request.uri)) {
        request.uri = "/index.html";
      }
      return request;
    }
  JS
}

resource "aws_cloudfront_response_headers_policy" "site" {
  #checkov:skip=CKV_AWS_259:It wants preload, which would put a domain of the owner's on the browsers' lists for years: the owner's to decide
  count = local.has_site

  name    = "${local.prefix}-site"
  comment = "The page runs its own code, and talks to its own origin and to the issuer of its tokens"

  security_headers_config {
    content_security_policy {
      override = true
      content_security_policy = join("; ", [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'", # charts set styles on elements
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self' ${join(" ", local.sign_in_origins)}",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ])
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000 # a year
      include_subdomains         = true
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "site" {
  #checkov:skip=CKV_AWS_68:A WAF costs US$5 a month before its first request; web_acl_arn attaches one
  #checkov:skip=CKV2_AWS_47:A rule of the WAF that is not there; nothing here runs Java
  #checkov:skip=CKV_AWS_86:Access logs would cost more than the site; the API has its own
  #checkov:skip=CKV_AWS_174:CloudFront's own certificate allows no choice; with site_domain it is TLS 1.2 of 2021
  #checkov:skip=CKV2_AWS_42:CloudFront's own certificate serves its own name; site_domain brings another
  #checkov:skip=CKV_AWS_310:One region is the design: the data are in it, and a second would not be in step
  #checkov:skip=CKV_AWS_374:The owner travels; nothing here is bound to a country
  count = local.has_site

  enabled             = true
  comment             = local.prefix
  default_root_object = "index.html"
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = "PriceClass_All" # Australia is not in the cheaper classes
  aliases             = var.site_domain == null ? [] : [var.site_domain.name]
  web_acl_id          = var.web_acl_arn

  origin {
    origin_id                = "site"
    domain_name              = aws_s3_bucket.this["site"].bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site[0].id
  }

  origin {
    origin_id   = "api"
    domain_name = regex("^https?://([^/:]+)", aws_apigatewayv2_api.this.api_endpoint)[0]

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "https-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 35 # seconds; the API gives up at 30
    }
  }

  # The release gives hashed files a year and index.html none; CloudFront keeps what they say.
  default_cache_behavior {
    target_origin_id           = "site"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.managed_policies.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site[0].id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.pages[0].arn
    }
  }

  # Answers depend on who asks, so CloudFront keeps none and passes everything on, Authorization included.
  ordered_cache_behavior {
    path_pattern               = "/api/*"
    target_origin_id           = "api"
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.managed_policies.caching_disabled
    origin_request_policy_id   = local.managed_policies.all_viewer_except_host_header
    response_headers_policy_id = aws_cloudfront_response_headers_policy.site[0].id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.site_domain == null
    acm_certificate_arn            = var.site_domain == null ? null : var.site_domain.certificate_arn
    ssl_support_method             = var.site_domain == null ? null : "sni-only"
    minimum_protocol_version       = var.site_domain == null ? "TLSv1" : "TLSv1.2_2021"
  }
}
