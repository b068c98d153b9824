"""The Django project under test: views that wait on a slow upstream API."""
