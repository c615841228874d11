"""The server beside others: the same models, the same requests, the same load generator (wrk), one run."""
