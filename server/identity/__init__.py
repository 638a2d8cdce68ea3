"""Who somebody is: passwords, and sign-ins at a provider."""
