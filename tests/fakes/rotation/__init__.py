"""The part of AWS that holds and changes passwords, stricter than an emulator: see `cloud.Cloud`."""
