# The credential proxy: whoever shows an ID token of the user pool gets a session of the long-lived role, for up to twelve
# hours. Make the zip with `make lambda`. The access key of the proxy's user is not made here, for the state would hold it:
# put one into the secret afterwards.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_iam_user" "proxy" {
  name = var.user_name
}

data "aws_iam_policy_document" "long_lived_trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_user.proxy.arn]
    }
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/CognitoSubject"
      values   = ["*"]
    }
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["CognitoSubject", "CognitoUsername"]
    }
  }
}

resource "aws_iam_role" "long_lived" {
  name                 = var.long_lived_role_name
  description          = "Sessions of people, opened by the credential proxy"
  max_session_duration = 43200
  assume_role_policy   = data.aws_iam_policy_document.long_lived_trust.json
}

data "aws_iam_policy_document" "user" {
  statement {
    actions   = ["sts:AssumeRole", "sts:TagSession"]
    resources = [aws_iam_role.long_lived.arn]
  }
}

resource "aws_iam_user_policy" "proxy" {
  name   = "CognitoCredentialProxy"
  user   = aws_iam_user.proxy.name
  policy = data.aws_iam_policy_document.user.json
}

data "aws_iam_policy_document" "function_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "function" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }

  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.secret_arn]
  }
}

resource "aws_iam_role" "function" {
  name_prefix        = "CognitoCredentialProxy-"
  assume_role_policy = data.aws_iam_policy_document.function_trust.json
}

resource "aws_iam_role_policy" "function" {
  name   = "CognitoCredentialProxy"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/cognito-credential-proxy"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "proxy" {
  function_name                  = "cognito-credential-proxy"
  description                    = "Opens a role's session for people of a user pool."
  runtime                        = "python3.12"
  handler                        = "connector.provisioning.credential_proxy.handler"
  role                           = aws_iam_role.function.arn
  filename                       = var.zip
  source_code_hash               = filebase64sha256(var.zip)
  timeout                        = 30
  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = {
      COGNITO_USER_POOL_ID = var.user_pool_id
      COGNITO_CLIENT_ID    = join(",", var.client_ids)
      DEFAULT_ROLE_ARN     = aws_iam_role.long_lived.arn
      MAX_DURATION_SECONDS = var.max_duration_seconds
      PROXY_SECRET_ID      = var.secret_arn
    }
  }

  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function]
}

data "aws_iam_policy_document" "invoke" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_lambda_function.proxy.arn]
  }
}

resource "aws_iam_role_policy" "invoke" {
  name   = "CognitoCredentialProxyInvoke"
  role   = var.invoker_role_name
  policy = data.aws_iam_policy_document.invoke.json
}
