"""A shop that has its orders from an API: the project of docs/your-own-django.md."""
