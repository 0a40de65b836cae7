"""What hostile clients send, as one table: each row is run against a real server, beside a bystander."""
