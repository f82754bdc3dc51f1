variable "user_pool_id" {
  description = "Id of the user pool whose tokens are taken."
  type        = string
}

variable "client_ids" {
  description = "App clients whose tokens are taken."
  type        = list(string)

  validation {
    condition     = length(var.client_ids) > 0
    error_message = "Name an app client: without one every token would be refused."
  }
}

variable "secret_arn" {
  description = "ARN of the secret that holds aws_access_key_id and aws_secret_access_key of the proxy's user."
  type        = string
}

variable "invoker_role_name" {
  description = "Name of the identity pool's role of people who are signed in, which may invoke the function."
  type        = string
}

variable "user_name" {
  description = "Name of the user whose access key the secret holds."
  type        = string
  default     = "CognitoCredentialProxyUser"
}

variable "long_lived_role_name" {
  description = "Name of the role that policies for people are put on."
  type        = string
  default     = "CognitoLongLivedRole"
}

variable "max_duration_seconds" {
  description = "The longest session that may be asked for."
  type        = number
  default     = 43200

  validation {
    condition     = var.max_duration_seconds >= 900 && var.max_duration_seconds <= 43200
    error_message = "STS gives sessions of 900 to 43200 seconds."
  }
}

variable "reserved_concurrency" {
  description = "How many requests are answered at a time; bounds what a flood of requests can cost."
  type        = number
  default     = 10
}

variable "zip" {
  description = "The zip that `make lambda` makes."
  type        = string
  default     = "dist/credential-proxy.zip"
}

variable "log_retention_days" {
  description = "How long the function's log is kept."
  type        = number
  default     = 90
}
