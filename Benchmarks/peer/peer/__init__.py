"""Orders, stock and mails over Kafka, with outbox and inbox, in Python."""
