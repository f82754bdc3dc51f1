output "function_arn" {
  description = "The rotation function, to be chosen for the rotation of another secret."
  value       = aws_lambda_function.rotation.arn
}
