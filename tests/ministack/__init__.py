"""ministack, an emulator of AWS that others wrote, as a second opinion; its quirks are listed in README.md."""
