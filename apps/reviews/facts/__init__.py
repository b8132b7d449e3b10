"""What the judges of apps.reviews.judging are given, as the server reads it: for one version now, or for many past cases."""
