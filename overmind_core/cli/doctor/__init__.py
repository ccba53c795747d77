"""What `overmind doctor` looks at: one function per check, each tells what it found and how to mend it."""
