# Rotates the password of an Amazon Cognito user that AWS Secrets Manager keeps: the rotation function, its role with the
# least rights, the permission for Secrets Manager and the schedule. Make the zip with `make lambda`.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "rights" {
  statement {
    sid = "Secret"
    actions = [
      "secretsmanager:DescribeSecret",
      "secretsmanager:GetSecretValue",
      "secretsmanager:PutSecretValue",
      "secretsmanager:UpdateSecretVersionStage",
    ]
    resources = [var.secret_arn]
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.function.arn}:*"]
  }

  statement {
    sid       = "UserPool"
    actions   = ["cognito-idp:DescribeUserPool"]
    resources = [var.user_pool_arn]
  }

  dynamic "statement" {
    for_each = var.mode == "admin" ? [var.user_pool_arn] : []
    content {
      sid = "Administrator"
      actions = [
        "cognito-idp:AdminGetUser",
        "cognito-idp:AdminSetUserPassword",
        "cognito-idp:AdminInitiateAuth",
        "cognito-idp:AdminRespondToAuthChallenge",
      ]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.mode == "admin" && length(var.allowed_groups) > 0 ? [var.user_pool_arn] : []
    content {
      sid       = "Groups"
      actions   = ["cognito-idp:AdminListGroupsForUser"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = compact([var.kms_key_arn])
    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${data.aws_region.current.name}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = compact([var.totp_secret_arn])
    content {
      sid       = "TotpSeed"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "function" {
  name_prefix        = "${var.name}-"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "function" {
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.rights.json
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "rotation" {
  function_name    = var.name
  description      = "Rotates the password of an Amazon Cognito user for AWS Secrets Manager."
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "connector.rotation.secrets_manager_function.handler"
  role             = aws_iam_role.function.arn
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip)
  memory_size      = 256
  timeout          = 120

  environment {
    variables = {
      ROTATION_MODE           = var.mode
      ROTATION_USER_POOL_ID   = var.user_pool_id
      ROTATION_ALLOWED_USERS  = join(",", var.allowed_users)
      ROTATION_ALLOWED_GROUPS = join(",", var.allowed_groups)
    }
  }

  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function]
}

resource "aws_lambda_permission" "secrets_manager" {
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.rotation.function_name
  principal      = "secretsmanager.amazonaws.com"
  source_account = data.aws_caller_identity.current.account_id
  source_arn     = var.secret_arn
}

resource "aws_secretsmanager_secret_rotation" "schedule" {
  secret_id           = var.secret_arn
  rotation_lambda_arn = aws_lambda_function.rotation.arn
  rotate_immediately  = true

  rotation_rules {
    schedule_expression = var.schedule_expression
  }

  depends_on = [aws_lambda_permission.secrets_manager]
}
