"""What users would pick instead: other servers with the same TorchScript file, measured in one run beside this one."""
