output "function_arn" {
  description = "What login.lambda_function may name."
  value       = aws_lambda_function.proxy.arn
}

output "long_lived_role_name" {
  description = "The role that policies for people are put on."
  value       = aws_iam_role.long_lived.name
}

output "user_name" {
  description = "The user whose access key the secret holds."
  value       = aws_iam_user.proxy.name
}
