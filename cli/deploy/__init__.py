"""The product in an account of the cloud: its template, its zip, and how both get there and away again."""
