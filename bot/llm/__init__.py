"""The language model: drafts of replies, with personal data kept out of prompts."""
