"""What the commands for a shell show: lines of text, at most as wide as the terminal; plain where there is none."""
