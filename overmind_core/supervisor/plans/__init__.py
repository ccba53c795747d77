"""Plans of dependent agents as missions: durable, decided by `domain.plan`, carried out here."""
