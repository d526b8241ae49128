"""What a person reads while cfgate runs (`progress`) and when it ends (`ending`)."""
