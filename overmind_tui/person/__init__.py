"""Who sits in front of the program: what they see, know and have done before."""
