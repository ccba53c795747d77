"""Commands about agents: talk, inbox, cost, orchestration."""
