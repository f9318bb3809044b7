"""What an operator does to stored data: status, query, rollback, rebuild, maintenance, audits."""
