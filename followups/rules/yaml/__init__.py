"""How is each kind of YAML file read into the model, with every mistake named at its line and column?"""
