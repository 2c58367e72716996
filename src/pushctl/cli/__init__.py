"""The commands, one file each: parse, call, choose the exit code."""
