"""What needs the person: questions, answers, messages."""
