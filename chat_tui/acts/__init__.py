"""What the program does when somebody asks for it by a key or a command: mixins of the app, one for each subject."""
