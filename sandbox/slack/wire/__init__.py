"""How do requests come in and deliveries go out: HTTP, Socket Mode, and the demo page's own doors?"""
