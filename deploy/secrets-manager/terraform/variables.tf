variable "name" {
  description = "Name of the function and of its log group."
  type        = string
  default     = "cognito-scim-rotation"
}

variable "zip" {
  description = "The zip that `make lambda` makes."
  type        = string
  default     = "dist/secrets-manager-rotation.zip"
}

variable "secret_arn" {
  description = "ARN of the secret that holds clientid, username and password."
  type        = string
}

variable "user_pool_arn" {
  description = "ARN of the user pool. The function is allowed to touch no other."
  type        = string
}

variable "user_pool_id" {
  description = "Id of the same user pool."
  type        = string
}

variable "mode" {
  description = "admin sets the password with AdminSetUserPassword; self changes it as the user does, signed in with the current one."
  type        = string
  default     = "self"

  validation {
    condition     = contains(["admin", "self"], var.mode)
    error_message = "mode is admin or self."
  }
}

variable "allowed_users" {
  description = "With mode admin, the users whose password the function may set: names, in which * stands for any characters. Without these and without allowed_groups it sets none."
  type        = list(string)
  default     = []
}

variable "allowed_groups" {
  description = "With mode admin, groups of the pool whose members' passwords the function may set."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "The customer managed key that encrypts the secret, if there is one."
  type        = string
  default     = ""
}

variable "totp_secret_arn" {
  description = "ARN of the secret that holds the user's TOTP seed, if the user has one."
  type        = string
  default     = ""
}

variable "schedule_expression" {
  description = "When to rotate, rate(...) or cron(...), as Secrets Manager reads it."
  type        = string
  default     = "rate(30 days)"
}

variable "log_retention_days" {
  description = "How long the function's log is kept."
  type        = number
  default     = 90
}
