"""What handlers share: models, the OTC client, the convergent resources, safety rules, events, errors."""
