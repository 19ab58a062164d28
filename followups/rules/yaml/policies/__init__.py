"""What do policy.yaml and scoring.yaml say?"""
