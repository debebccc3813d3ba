"""Hours of trouble in minutes: overload, millions of requests, and faults under load, against a supervised server."""
