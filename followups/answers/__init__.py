"""What can be answered without a person: what is wanted, scripted answers, passages of knowledge."""
