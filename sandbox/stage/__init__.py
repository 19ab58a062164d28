"""What does the demo's page stand on: story, the passing of time, the rule desk, the phone's menu?"""
