"""What is said over sessions: figures, and the answers of the commands for a shell; what is found of many parts adds up."""
