"""What is said over sessions: figures and answers."""
