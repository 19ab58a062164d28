"""What will a customer do next, as far as the past tells?"""
