"""What scripts ask: requests, streams of events, logs and screens as text, and the document that describes it all."""
