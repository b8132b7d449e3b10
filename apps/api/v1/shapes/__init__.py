"""What the API says, as serializers: the answers are made by them, so the OpenAPI document cannot drift from the answers."""
