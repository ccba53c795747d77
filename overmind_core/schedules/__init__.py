"""When something is due: cron expressions, intervals, and what to do about times that were missed. Never acts."""
