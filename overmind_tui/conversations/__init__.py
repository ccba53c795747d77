"""The views of conversations that programs keep, and of lines of transcripts."""
